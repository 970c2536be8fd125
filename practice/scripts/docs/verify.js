// npm run docs:verify: looks for dead links in every Markdown file of this workspace, runbook included. Links that leave
// the workspace are not followed.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { root, run, shown } = require('../lib/workspace');

const skipped = new Set(['node_modules', 'build', 'reports']);
const external = /^[a-z][a-z+.-]*:/i;

function markdownFiles(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownFiles(full);
    return entry.name.endsWith('.md') ? [full] : [];
  });
}

/** The targets of inline links, with code blocks and code spans left out. */
function links(text) {
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g)].map((match) => match[1]);
}

const slug = (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
const anchors = (file) => [...fs.readFileSync(file, 'utf8').matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) => slug(match[1]));

function dead(file, link) {
  if (external.test(link)) return false;
  const [place, anchor] = decodeURIComponent(link).split('#');
  const target = place ? path.resolve(path.dirname(file), place) : file;
  if (!fs.existsSync(target)) return true;
  return Boolean(anchor) && target.endsWith('.md') && !anchors(target).includes(anchor);
}

run(async () => {
  const files = markdownFiles(root);
  let count = 0;
  const broken = files.flatMap((file) => {
    const found = links(fs.readFileSync(file, 'utf8'));
    count += found.length;
    return found.filter((link) => dead(file, link)).map((link) => `${shown(file)}: ${link}`);
  });
  if (broken.length > 0) throw new Error(`broken documentation links:\n- ${broken.join('\n- ')}`);
  console.log(`${count} links in ${files.length} Markdown files checked, none broken.`);
});
