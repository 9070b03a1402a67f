/** What the dashboard does not need of its libraries. */

import type { UnusedParts } from './unused-parts.ts';

const none = (owner: string, methods: readonly string[]) =>
  Object.fromEntries(methods.map((method) => [`${owner}.${method}`, '']));

/**
 * Of Chart.js: what moves, what follows a pointer, round scales, time by its own calendar, data in other forms than points, and
 * titles, borders and turned labels of axes. Our charts are still, have the cursor of their page, and mark times
 * themselves.
 */
const CHART: UnusedParts = {
  file: 'chart.js/dist/chart.js',
  stubs: {
    Animator: `class Animator {
      listen() {}
      has() { return false; }
      running() { return false; }
      stop() {}
      remove() {}
    }`,
    Animations: 'class Animations { update(target, values) { Object.assign(target, values); } }',
    Animation: 'class Animation {}',
    Interaction: 'var Interaction = {};',
    RadialLinearScale: 'class RadialLinearScale {}',
    TimeScale: 'class TimeScale {}',
    TimeSeriesScale: 'class TimeSeriesScale {}',
    _detectPlatform: 'function _detectPlatform() { return DomPlatform; }',
    createProxyAndListen: 'function createProxyAndListen() {}',
    simpleArc: 'class simpleArc {}',
    computeCircularBoundary: 'function computeCircularBoundary() {}',
    'Scale.drawTitle': 'drawTitle() {}',
    'Scale.drawBorder': 'drawBorder() {}',
    'Scale.calculateLabelRotation': 'calculateLabelRotation() { this.labelRotation = 0; }',
    'LineElement.updateControlPoints': 'updateControlPoints() {}',
    ...none('Chart', ['unregister', 'reset', 'getElementsAtEventForMode', 'setDatasetVisibility']),
    ...none('Chart', [
      'toggleDataVisibility',
      '_updateVisibility',
      'hide',
      'show',
      'toBase64Image',
      'updateHoverStyle',
    ]),
    ...none('Chart', ['getActiveElements', 'setActiveElements', '_updateHoverStyles']),
    ...none('Chart', ['_eventHandler', '_handleEvent', '_getActiveElements']),
    ...none('DatasetController', ['parsePrimitiveData', 'parseArrayData', 'parseObjectData', 'getLabelAndValue']),
    ...none('DatasetController', ['getStyle', '_setStyle', 'removeHoverStyle', 'setHoverStyle']),
    ...none('DatasetController', ['_removeDatasetHoverStyle', '_setDatasetHoverStyle']),
    ...none('PointElement', ['inRange', 'inXRange', 'inYRange', 'getCenterPoint', 'getRange']),
    ...none('Element', ['tooltipPosition']),
    ...none('Registry', ['remove', 'addControllers', 'addElements', 'addPlugins', 'addScales']),
    ...none('Registry', ['removeControllers', 'removeElements', 'removePlugins', 'removeScales']),
  },
};

const CHART_HELPERS: UnusedParts = {
  file: 'chart.js/dist/chunks/index.js',
  stubs: {
    applyAnimationsDefaults: 'function applyAnimationsDefaults() {}',
    // Our points are circles, our lines straight, and our labels plain.
    drawPointLegend: `function drawPointLegend(ctx, { radius }, x, y) {
      if (!(radius > 0)) return;
      ctx.beginPath();
      ctx.arc(x, y, radius, 0, TAU);
      ctx.fill();
    }`,
    decorateText: 'function decorateText() {}',
    drawBackdrop: 'function drawBackdrop() {}',
    _steppedLineTo: 'function _steppedLineTo() {}',
    _bezierCurveTo: 'function _bezierCurveTo() {}',
    _steppedInterpolation: 'function _steppedInterpolation() {}',
    _bezierInterpolation: 'function _bezierInterpolation() {}',
  },
};

/** Of dagre, which comes minified: the algorithms that its graphs have, and all ways but one to rank nodes. */
const DAGRE: UnusedParts = {
  file: 'dagre/dist/dagre.esm.js',
  edits: [
    { find: /[\w$]+\([\w$]+,\{Graph:[^{}]+\}\);/, replace: '' },
    { find: /[\w$]+\([\w$]+,\{read:[^{}]+\}\);/, replace: '' },
    { find: /[\w$]+\([\w$]+,\{CycleException:[^{}]+\}\);/, replace: '' },
    { find: /case"network-simplex":[\w$]+\([\w$]+\);break;/, replace: '' },
    { find: /case"longest-path":[\w$]+\([\w$]+\);break;case"none":break;default:[\w$]+\([\w$]+\)/, replace: '' },
    { find: /var\{preorder:[^;]+;([\w$]+\.[\w$]+=[\w$]+;)+/, replace: '' },
    { find: /[\w$]+\.graph\(\)\.acyclicer==="greedy"/, replace: 'false' },
  ],
};

export const UNUSED: readonly UnusedParts[] = [CHART, CHART_HELPERS, DAGRE];
