import { expect, test } from 'vitest';
import { loadMesh, offsetPorts } from '../../server/demo/mesh-folder.ts';

test.for([
  ['a block', 'a:\n  port_value: 18000 # why\nb: 18000\n', 'a:\n  port_value: 18100 # why\nb: 18000\n'],
  ['a flow map', 'a: { address: "h", port_value: 1 }\n', 'a: { address: "h", port_value: 101 }\n'],
  ['in lists', '- port_value: 1\n- x: [{ port_value: 2 }]\n', '- port_value: 101\n- x: [ { port_value: 102 } ]\n'],
  ['another key', 'port: 1\nnamed_port: port_value\n', 'port: 1\nnamed_port: port_value\n'],
  ['an anchor', 'a: &x { port_value: 1 }\nb: *x\n', 'a: &x { port_value: 101 }\nb: *x\n'],
] as const)('the offset goes to every port_value: %s', ([, text, expected]) => {
  expect(offsetPorts(text, 100)).toBe(expected);
  expect(offsetPorts(text, 0)).toBe(text);
});

test('a mesh is read from its folder, with the offset in every port', async () => {
  const mesh = await loadMesh({ name: 'three-services', portOffset: 200 });
  expect(mesh.envoys.map(({ instance, admin }) => [instance, admin.port])).toEqual([
    ['front-proxy', 18201],
    ['service-a', 18211],
    ['service-b-1', 18221],
    ['service-b-2', 18231],
    ['service-c', 18241],
  ]);
  expect(mesh.frontPort).toBe(18200);
  expect(mesh.ports).toContainEqual({
    host: '127.0.0.1',
    port: 18988,
    user: 'listener egress_service_b of service-a',
    where: 'examples/meshes/three-services/service-a.yaml',
  });
  const ports = mesh.ports.map(({ port }) => port);
  expect(new Set(ports).size).toBe(ports.length);
});

test('an unknown mesh is told with those there are', async () => {
  await expect(loadMesh({ name: 'nowhere', portOffset: 0 })).rejects.toThrow(
    /^there is no mesh nowhere in examples\/meshes, only: .*three-services/,
  );
});
