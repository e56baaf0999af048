#!/usr/bin/env node
import { main } from './program.js';
import { keepStandardOutput, surviveClosedPipes } from './terminal.js';

surviveClosedPipes();
keepStandardOutput();
process.exitCode = await main(process.argv);
