// npm run observability:smoke: checks the monitoring files for what they must hold. As in the real checkout it asks no
// exporter; a file that reads well proves nothing about a running service.
'use strict';

const fs = require('node:fs');
const { at, run } = require('../lib/workspace');

const texts = [
  ['Prometheus scrape targets', 'monitoring/prometheus/prometheus.yml', ['job_name: orchestrator', 'job_name: validator', 'job_name: anvil', 'rule_files:', 'alertmanagers:']],
  ['Prometheus alert rules', 'monitoring/prometheus/rules.yaml', ['alert: ModulePaused', 'alert: JobFinalizationSlow', 'alert: HamiltonianDrift']],
  ['Alertmanager receivers', 'monitoring/alertmanager/alerts.yaml', ['name: ops', 'name: pager']],
];
const dashboard = 'monitoring/grafana/dashboard.json';

function textCheck([title, file, entries]) {
  const text = fs.readFileSync(at(file), 'utf8');
  const missing = entries.filter((entry) => !text.includes(entry));
  const detail = missing.length > 0 ? `${file} lacks ${missing.join(', ')}` : `${file} contains ${entries.length} expected entries`;
  return { title, ok: missing.length === 0, detail };
}

function dashboardCheck() {
  const { title, panels = [] } = JSON.parse(fs.readFileSync(at(dashboard), 'utf8'));
  const ok = Boolean(title) && panels.length > 0 && panels.every((panel) => panel.targets?.length > 0);
  return { title: 'Grafana dashboard schema', ok, detail: `dashboard "${title}" exposes ${panels.length} panels` };
}

run(async () => {
  const checks = [...texts.map(textCheck), dashboardCheck()];
  console.log('Observability smoke check summary\n');
  for (const { ok, title, detail } of checks) console.log(`${ok ? 'PASS' : 'FAIL'}  | ${title.padEnd(28)} | ${detail}`);
  const failed = checks.filter(({ ok }) => !ok).length;
  console.log(failed === 0 ? '\nAll observability checks passed.' : `\n${failed} observability checks failed.`);
  if (failed > 0) process.exitCode = 1;
});
