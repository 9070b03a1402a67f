import type { AlertEvent, AlertState, KeptAlert, NewAlertEvent } from '../../../server/model/alert.ts';

const STATE: AlertState = {
  phase: 'firing',
  since: 0,
  activeSince: 0,
  clearedSince: null,
  data: 'ok',
  dataSince: 0,
  value: 612,
  threshold: 500,
  requests: 1000,
};

export function firing(service: string, firedAt: number): KeptAlert {
  return {
    rule: 'SlowService',
    by: ['service'],
    labels: { alertname: 'SlowService', service, severity: 'page' },
    annotations: { summary: `${service} is slow` },
    state: { ...STATE, since: firedAt, activeSince: firedAt, dataSince: firedAt },
    firedAt,
  };
}

export function resolved(service: string, firedAt: number, endedAt: number): KeptAlert {
  const alert = firing(service, firedAt);
  return { ...alert, state: { ...alert.state, phase: 'resolved', since: endedAt, activeSince: null } };
}

export function event(id: number, phase: AlertEvent['phase'] = 'firing'): AlertEvent {
  const { rule, labels, annotations } = firing(`s${id}`, 0);
  const measured = { value: 612, threshold: 500, requests: 1000 };
  const told: NewAlertEvent = { at: id * 1000, rule, labels, annotations, phase, firedAt: id * 1000, ...measured };
  return { ...told, id };
}
