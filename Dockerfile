FROM node:26-slim AS web
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npx vite build web

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:26-slim
WORKDIR /app
ENV NODE_ENV=production
# What is freed goes back to the system at once, and threads share their memory.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=web /app/web/dist web/dist
COPY server server
RUN mkdir -p data node_modules/.cache && chown node:node data node_modules/.cache
USER node
# What was compiled is kept from one start to the next, and is in the image: threads that find nothing there each load a
# compiler, whose memory they never give back.
ENV NODE_COMPILE_CACHE=/app/node_modules/.cache/sidelight
RUN node --max-semi-space-size=8 --v8-pool-size=1 server/main.ts serve --storage.path=/tmp/compiled.db & pid=$!; \
  ready='fetch("http://127.0.0.1:9191/-/ready").then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))'; \
  for try in $(seq 60); do node -e "$ready" && break; sleep 1; done; \
  kill $pid && wait $pid && rm -f /tmp/compiled.db*
VOLUME /app/data
EXPOSE 9191
ENTRYPOINT ["node", "--max-semi-space-size=8", "--v8-pool-size=1", "server/main.ts"]
# In a container, loopback would be out of everyone's reach.
CMD ["serve", "--web.listen-address=0.0.0.0:9191"]
