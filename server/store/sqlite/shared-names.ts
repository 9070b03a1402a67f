import type { FlowKey, Identity } from '../../model/flow.ts';
import type { TargetLayout, ToldLayout } from './round.ts';

/** Names that are looked for when others are told. */
const MOST_KNOWN = 1000;

/**
 * Layouts as they are kept: what comes from another thread is a copy each time, and most targets have the same flows as
 * others, hardly any a name of its own beside its instance and address.
 */
export class SharedNames {
  private readonly shapes = new Map<string, string>();
  private readonly names = new Map<string, string>();
  private readonly flows = new Map<string, readonly FlowKey[]>();

  /** `shape`: the text of what the layout tells by its position. */
  of({ number, address, inbound, identity, flows }: ToldLayout, shape: string): TargetLayout {
    return {
      number,
      address,
      inbound,
      identity: this.identityOf(identity),
      shape: shared(this.shapes, shape, shape),
      flows: shared(this.flows, JSON.stringify(flows), flows),
    };
  }

  private identityOf({ service, namespace, instance, region, zone, role }: Identity): Identity {
    const name = (text: string): string => shared(this.names, text, text);
    return {
      service: name(service),
      namespace: name(namespace),
      instance,
      region: name(region),
      zone: name(zone),
      role,
    };
  }
}

/** What is known by that key, or this one from now on. */
function shared<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, value);
  return value;
}
