import type { Agent } from 'node:http';
import { type HttpAnswer, httpGet, keepAliveAgent } from '../http-client.ts';
import { type PlannedRequest, requestPath } from './instructions.ts';
import type { Ledger } from './ledger.ts';

export interface SendOptions {
  /** The front proxy, without a slash at the end. */
  baseUrl: string;
  /** Requests on their way at once. */
  concurrency: number;
  /** Takes what came back. */
  ledger: Ledger;
}

/** Sends exactly these requests, each once, and resolves when all are answered (or failed, see `Ledger.unanswered`). */
export async function sendPlan(plan: readonly PlannedRequest[], options: SendOptions): Promise<void> {
  const { baseUrl, concurrency, ledger } = options;
  const agent = keepAliveAgent();
  const requests = plan.values();
  const sender = async () => {
    for (const request of requests) await sendOne({ url: baseUrl + requestPath(request), agent, ledger });
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, sender));
  } finally {
    agent.destroy();
  }
}

export interface SendOneOptions {
  url: string;
  agent: Agent;
  ledger: Ledger | undefined;
}

/** Sends one request and records its answer, or that there was none. */
export async function sendOne({ url, agent, ledger }: SendOneOptions): Promise<void> {
  let answer: HttpAnswer;
  try {
    answer = await httpGet(url, agent);
  } catch (error) {
    ledger?.unanswered.push(error instanceof Error ? error.message : String(error));
    return;
  }
  ledger?.record(answer);
}
