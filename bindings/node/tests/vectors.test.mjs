// The cases that all languages share.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const vectors = process.env.XYNERGY_VECTORS_FOLDER ?? join(import.meta.dirname, '..', '..', '..', 'tests', 'vectors');

test('every case holds', { timeout: 300_000 }, () => {
  // A copy beside the package under test, since modules are found by where they are.
  const folder = mkdtempSync(join(tmpdir(), 'xynergy-vectors-'));
  try {
    cpSync(vectors, folder, { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    const home = dirname(dirname(createRequire(import.meta.url).resolve('xynergy')));
    symlinkSync(realpathSync(home), join(folder, 'node_modules', 'xynergy'));
    const ran = spawnSync(process.execPath, [join(folder, 'run.mjs')], { encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
