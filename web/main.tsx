import './styles/all.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { learnAlerts, showFiringOnIcon } from './state/alerts.ts';
import { startFollowing } from './state/collector.ts';
import { startRouter } from './state/router.ts';
import { watchTheme } from './state/theme.ts';

startRouter();
watchTheme();
startFollowing();
showFiringOnIcon();
void learnAlerts();
const root = document.getElementById('app');
if (root) render(<App />, root);
