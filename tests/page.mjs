// The report of the closed loop, opened in headless Chromium: its charts and tables are there, nothing is fetched,
// nothing is logged as an error.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const folder = mkdtempSync(join(tmpdir(), "xynergy-page-"));
const problems = [];
const expect = (holds, why) => holds || problems.push(why);

try {
  const page = join(folder, "closed_loop.html");
  const json = execFileSync(join(target, "release/examples/closed_loop"), ["--json", "--store", "memory", "--report", page]);
  const report = JSON.parse(json);
  const source = readFileSync(page, "utf8");
  expect(!/(?:src|href)\s*=\s*["']?https?:/i.test(source), "the page refers to another host");
  expect(!/NaN|undefined|Infinity/.test(source), "the page shows a value that is none");

  const browser = spawnSync("chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", `--user-data-dir=${join(folder, "profile")}`,
    "--enable-logging=stderr", "--virtual-time-budget=2000", "--dump-dom", `file://${page}`,
  ], { encoding: "utf8", timeout: 120_000, maxBuffer: 64 << 20 });
  expect(browser.status === 0, `chromium ended with ${browser.status}: ${browser.error ?? browser.stderr.slice(-400)}`);
  expect(!/CONSOLE/.test(browser.stderr), `the console has: ${browser.stderr.match(/.*CONSOLE.*/)?.[0]}`);
  const dom = browser.stdout;
  const charts = dom.match(/<svg[\s>]/g)?.length ?? 0;
  expect(charts >= 4, `${charts} charts instead of at least 4`);
  for (const row of report.allocation) expect(dom.includes(row.owner_id), `owner ${row.owner_id} is missing`);
  for (const reason of Object.keys(report.changes.by_reason)) {
    expect(dom.includes(reason.replaceAll("_", " ")), `the reason ${reason} is missing`);
  }
  for (const provider of Object.keys(report.ai.by_provider)) expect(dom.includes(provider), `provider ${provider} is missing`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
