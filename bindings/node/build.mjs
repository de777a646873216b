// Builds the native module, and the packages of npm.
//
//   node bindings/node/build.mjs [--profile PROFILE]          the module, for this checkout
//   node bindings/node/build.mjs --pack [--profile PROFILE]   and the tarballs, in target/npm
//
// The version is the workspace's: the package.json here has none of its own.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const { values: options } = parseArgs({
  options: { pack: { type: 'boolean', default: false }, profile: { type: 'string', default: 'dist' } },
});

const LIBRARY = { linux: 'libxynergy_node.so', darwin: 'libxynergy_node.dylib', win32: 'xynergy_node.dll' };
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const platform = `${process.platform}-${process.arch}`;

function run(command, args, cwd = root) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function build() {
  run('cargo', ['build', '--quiet', '--locked', '--package', 'xynergy-node', '--profile', options.profile]);
  const folder = options.profile === 'dev' ? 'debug' : options.profile;
  const made = join(here, 'native', `xynergy.${platform}.node`);
  mkdirSync(dirname(made), { recursive: true });
  // A running process may have the old one mapped.
  rmSync(made, { force: true });
  copyFileSync(join(target, folder, LIBRARY[process.platform]), made);
  return made;
}

function version() {
  const packages = JSON.parse(run('cargo', ['metadata', '--no-deps', '--format-version', '1', '--offline'])).packages;
  return packages.find(({ name }) => name === 'xynergy-node').version;
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** The folder of a package, empty but for the licences. */
function stage(name) {
  const folder = join(target, 'npm', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(join(root, licence), join(folder, licence));
  return folder;
}

function pack(module) {
  const of = version();
  const described = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  const usual = process.platform === 'linux' ? `${platform}-gnu` : platform;
  const out = join(target, 'npm');
  mkdirSync(out, { recursive: true });
  for (const old of readdirSync(out)) if (old.endsWith('.tgz')) rmSync(join(out, old));

  const native = stage(usual);
  copyFileSync(module, join(native, 'xynergy.node'));
  writeFileSync(join(native, 'README.md'), `The native module of [xynergy](https://www.npmjs.com/package/xynergy) for ${usual}. Install \`xynergy\`.\n`);
  const { license, repository, engines } = described;
  writeJson(join(native, 'package.json'), {
    name: `@xynergy/${usual}`,
    version: of,
    description: `The native module of xynergy for ${usual}`,
    license,
    repository,
    engines,
    main: 'xynergy.node',
    files: ['xynergy.node', 'LICENSE-MIT', 'LICENSE-APACHE'],
    os: [process.platform],
    cpu: [process.arch],
    ...(process.platform === 'linux' && { libc: ['glibc'] }),
  });

  const main = stage('xynergy');
  for (const part of ['lib', 'types', 'bin', 'README.md']) cpSync(join(here, part), join(main, part), { recursive: true });
  chmodSync(join(main, 'bin', 'xynergy.cjs'), 0o755);
  writeJson(join(main, 'package.json'), { ...described, version: of, optionalDependencies: { [`@xynergy/${usual}`]: of } });

  for (const folder of [native, main]) {
    const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', out], folder));
    const kilobytes = Math.round(statSync(join(out, filename)).size / 1024);
    console.log(`${join(out, filename)} ${kilobytes} kB`);
  }
}

const module = build();
if (options.pack) pack(module);
