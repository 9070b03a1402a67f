import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import helmet, { type HelmetOptions } from 'helmet';

/** Sent over TLS only: a browser that heard it over plain HTTP has to ignore it. */
const TLS_ONLY = 'strict-transport-security';

/**
 * What browsers may do with answers: load nothing from elsewhere, show them in no frame, tell no other site the address.
 * @param own headers in place of these; an empty value leaves one out.
 */
export function securityHeaders(own: () => Readonly<Record<string, string>> = () => ({})): RequestHandler {
  const builtIn = headersOf({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        styleSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    strictTransportSecurity: false,
  });
  return (request, response, next) => {
    for (const [name, value] of builtIn) response.setHeader(name, value);
    for (const [name, value] of Object.entries(own())) {
      if (name.toLowerCase() === TLS_ONLY && !request.secure) continue;
      if (value === '') response.removeHeader(name);
      else response.setHeader(name, value);
    }
    if (request.path.startsWith('/-/')) response.setHeader('cache-control', 'no-store');
    next();
  };
}

/** What helmet sets is the same for every answer: it is asked once. */
function headersOf(options: HelmetOptions): [name: string, value: string][] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet(options)(request, response, (error) => {
    if (error) throw error;
  });
  return Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]);
}
