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
      objective: {
        ...object({
          share: { ...number, description: 'Share of requests that has to be good.' },
          goodBelowMs: { ...milliseconds, description: 'Good ones take less; null: good ones succeed.' },
        }),
        type: ['object', 'null'],
      },
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
    ...triedSchemas(),
  };
}

/** Schemas of rules that are tried on the past. */
function triedSchemas(): Record<string, Schema> {
  const evaluations = ref('TriedEvaluations');
  const length = { type: 'number', minimum: 0, description: 'Milliseconds.' };
  return {
    TriedEvaluations: object(
      { total: wholeNumber, tooLittleData: wholeNumber, noData: wholeNumber },
      'How many evaluations there were, and how many of them could not be worked out.',
    ),
    TriedPart: object(
      {
        tier: { enum: ['raw', '1m', '10m', '1h'] },
        from: time,
        to: time,
        stepMs: { ...length, description: 'Time between two evaluations.' },
        slotMs: { ...length, description: 'Steps that the past is kept in.' },
      },
      'A stretch of the past that is kept in steps of one length.',
    ),
    TriedFiring: object({
      from: time,
      to: { ...timeOrNull, description: 'Unix milliseconds; null where it still fires at the end.' },
      ...measured,
      valueText: text,
      thresholdText: text,
    }),
    TriedSeries: object({ labels, firings: listOf(ref('TriedFiring')), firingMs: length, evaluations }),
    TriedRule: object({
      name: text,
      condition: text,
      notTried: { ...text, description: 'Why the past can not tell; empty when it can.' },
      notes: { ...listOf(text), description: 'What was tried otherwise than it runs, in words.' },
      alerts: { ...wholeNumber, description: 'How often it would have fired.' },
      firingMs: length,
      evaluations,
      series: {
        ...listOf(ref('TriedSeries')),
        description: 'At most 200: those that would have fired longest, then those without enough data most often.',
      },
      seriesTotal: wholeNumber,
      suggestion: {
        anyOf: [
          object(
            {
              text: { ...text, description: 'As it is written in the configuration.' },
              value: { type: 'number' },
              alerts: wholeNumber,
            },
            'The most sensitive threshold with at most so many alerts.',
          ),
          { type: 'null' },
        ],
      },
    }),
    RulesTestAnswer: object({
      from: { ...time, description: 'Later than asked for where the history is shorter.' },
      to: time,
      window: text,
      maxAlerts: wholeNumber,
      parts: { ...listOf(ref('TriedPart')), description: 'Oldest first.' },
      rules: listOf(ref('TriedRule')),
    }),
  };
}
