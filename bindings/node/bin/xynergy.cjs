#!/usr/bin/env node
'use strict';

// The command line of the Rust library, in this process: nothing else has to be installed.
const { commandLine } = require('../lib/native.cjs');

process.exit(commandLine(['xynergy', ...process.argv.slice(2)]));
