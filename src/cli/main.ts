#!/usr/bin/env node
import { main } from './program.js';
import { surviveClosedPipes } from './terminal.js';

surviveClosedPipes();
process.exitCode = await main(process.argv);
