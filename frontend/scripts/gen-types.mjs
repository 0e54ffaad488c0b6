/** Writes src/api/types.ts from src/api/openapi.json. */

import { readFile, writeFile } from 'node:fs/promises'

import { typesOf } from './types-of.mjs'

const from = new URL('../src/api/openapi.json', import.meta.url)
const to = new URL('../src/api/types.ts', import.meta.url)

await writeFile(to, typesOf(JSON.parse(await readFile(from, 'utf8'))))
