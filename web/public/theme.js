// Runs before the first paint, so that a chosen theme never flashes the other one. The key is that of state/theme.ts.
try {
  const theme = localStorage.getItem('sidelight-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's choice holds then.
}
