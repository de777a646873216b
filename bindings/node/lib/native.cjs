'use strict';

/**
 * Loads the native module: the one of the platform package, or in a checkout the one that `build.mjs` made.
 */

const { existsSync } = require('node:fs');
const { join } = require('node:path');

function platform() {
  if (process.platform !== 'linux') return `${process.platform}-${process.arch}`;
  const glibc = process.report?.getReport?.()?.header?.glibcVersionRuntime;
  return `linux-${process.arch}-${glibc ? 'gnu' : 'musl'}`;
}

function load() {
  const fast = `${process.platform}-${process.arch}`;
  const built = join(__dirname, '..', 'native', `xynergy.${fast}.node`);
  if (existsSync(built)) return require(built);
  // The report that tells the C library apart takes milliseconds, so the usual one is tried first.
  const usual = process.platform === 'linux' ? `${fast}-gnu` : fast;
  try {
    return require(`@xynergy/${usual}`);
  } catch (first) {
    const name = platform();
    const hint =
      `xynergy: no native module for ${name}. It comes as the optional dependency @xynergy/${usual}: install again without ` +
      '--omit=optional, on the machine that runs it, or see the README for the platforms that there are.';
    throw new Error(hint, { cause: first });
  }
}

module.exports = load();
