import { addressOf } from '../../state/router.ts';

/** Whom it is about; a service leads to its page. */
export function AlertLabels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const { service = '', namespace = '' } = labels;
  const others = Object.entries(labels).filter(
    ([name, value]) => value !== '' && !['alertname', 'severity', 'service', 'namespace'].includes(name),
  );
  return (
    <ul class="labels">
      {service !== '' && (
        <li>
          <a href={addressOf({ name: 'service', service, namespace })}>{service}</a>{' '}
          <span class="namespace">{namespace}</span>
        </li>
      )}
      {others.toSorted().map(([name, value]) => (
        <li key={name}>
          <span class="unit">{name}=</span>
          {value}
        </li>
      ))}
    </ul>
  );
}
