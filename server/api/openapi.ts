export const openApi = { openapi: '3.1.0', info: { title: 'Sidelight', version: '0.1.0' }, paths: {} };
