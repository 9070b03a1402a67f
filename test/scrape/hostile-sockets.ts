/** What a server may do with a connection that no Envoy does. */

import type { Socket } from 'node:net';

export type OnConnection = (socket: Socket) => void;

/** Answers every request with the same bytes and keeps the connection open. */
export const says =
  (answer: string | Buffer): OnConnection =>
  (socket) =>
    void socket.on('data', () => socket.write(answer));

/** Writes the same over and over for as long as someone reads. */
export const endlessly =
  (start: string, again: string): OnConnection =>
  (socket) => {
    const more = Buffer.from(again.repeat(Math.ceil(4096 / again.length)));
    const send = () => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.on('drain', send);
    socket.once('data', () => {
      socket.write(start);
      send();
    });
  };

/** Sends a text a byte at a time, from its start again when it is through. */
export const drips =
  (start: string, text: string, everyMs: number): OnConnection =>
  (socket) => {
    socket.write(start);
    let at = 0;
    const drip = setInterval(() => socket.write(text.charAt(at++ % text.length)), everyMs);
    socket.on('close', () => clearInterval(drip));
  };
