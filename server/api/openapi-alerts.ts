import {
  labels,
  listOf,
  milliseconds,
  object,
  ref,
  type Schema,
  text,
  time,
  timeOrNull,
  wholeNumber,
} from './openapi-parts.ts';

const number: Schema = { type: ['number', 'null'] };
const state: Schema = { enum: ['pending', 'firing', 'resolved'] };
const firedAt = { ...timeOrNull, description: 'When it fired last, Unix milliseconds; null while it never has.' };
const measured = {
  value: { ...number, description: "In the unit of the rule's signal: milliseconds, shares from 0 to 1, per second." },
  threshold: { ...number, description: 'What the value is compared with, in the same unit.' },
  requests: { ...number, description: 'Requests that the value rests on.' },
};

/** Schemas of alerts and rules, by the names of the types in contract.ts. */
export function alertSchemas({ range }: { readonly range: Readonly<Record<string, Schema>> }): Record<string, Schema> {
  return {
    AlertCounts: object({ firing: wholeNumber, pending: wholeNumber }),
    AlertData: {
      enum: ['ok', 'too_little_data', 'no_data'],
      description: 'Whether the last evaluation could be worked out; one that could not fires and ends nothing.',
    },
    AlertItem: object({
      name: text,
      state,
      severity: text,
      labels,
      annotations: labels,
      since: { ...time, description: 'Since when it is in this state, Unix milliseconds.' },
      firedAt,
      data: ref('AlertData'),
      dataSince: time,
      ...measured,
      valueText: { ...text, description: 'The value with its unit; empty where it is not known.' },
      thresholdText: text,
    }),
    AlertsAnswer: object({ at: time, alerts: listOf(ref('AlertItem')) }),
    RuleItem: object({
      name: text,
      builtin: { type: 'boolean' },
      condition: { ...text, description: 'When its alerts fire, in words.' },
      signal: { type: ['string', 'null'], description: 'What is watched; null for rules that watch no signal.' },
      by: listOf(text),
      match: labels,
      direction: { enum: ['inbound', 'outbound'] },
      windowMs: wholeNumber,
      forMs: wholeNumber,
      keepFiringForMs: wholeNumber,
      minRequests: wholeNumber,
      severity: text,
      alerts: object(
        Object.fromEntries(
          ['pending', 'firing', 'resolved', 'inactive', 'too_little_data', 'no_data'].map((name) => [
            name,
            wholeNumber,
          ]),
        ),
        'How many sets of labels are in which state.',
      ),
      lastEvaluation: { ...timeOrNull, description: 'Of the last evaluation that worked, Unix milliseconds.' },
      error: { ...text, description: 'Why the last evaluation did not work; empty when it did.' },
      budgets: listOf(
        object({
          labels,
          left: { ...number, description: 'Share of the error budget that is left; below 0: overspent.' },
        }),
      ),
    }),
    RulesAnswer: object({
      at: time,
      intervalMs: wholeNumber,
      durationMs: milliseconds,
      rules: listOf(ref('RuleItem')),
    }),
    AlertEventItem: object({
      id: wholeNumber,
      at: time,
      name: text,
      state,
      severity: text,
      labels,
      annotations: labels,
      firedAt,
      ...measured,
    }),
    AlertFiringItem: object({
      name: text,
      severity: text,
      labels,
      annotations: labels,
      firedAt: time,
      resolvedAt: { ...timeOrNull, description: 'When it ended, Unix milliseconds; null while it fires.' },
      ...measured,
      valueText: { ...text, description: 'The value with its unit; empty where it is not known.' },
      thresholdText: text,
    }),
    AlertHistoryAnswer: object({
      ...range,
      events: listOf(ref('AlertEventItem')),
      firings: listOf(ref('AlertFiringItem')),
      truncated: { type: 'boolean' },
    }),
  };
}
