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
# What was compiled is kept in .cache from one start to the next.
RUN mkdir -p data node_modules/.cache && chown node:node data node_modules/.cache
USER node
VOLUME /app/data
EXPOSE 9191
ENTRYPOINT ["node", "--max-semi-space-size=8", "--v8-pool-size=1", "server/main.ts"]
# In a container, loopback would be out of everyone's reach.
CMD ["serve", "--web.listen-address=0.0.0.0:9191"]
