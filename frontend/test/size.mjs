// What a browser loads stays small: all built scripts, styles and pages together.
import fs from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

const most = 150_000
const files = fs.readdirSync('dist', { recursive: true }).filter((f) => /\.(js|css|html|svg)$/.test(f))
const bytes = files.reduce((n, f) => n + gzipSync(fs.readFileSync(path.join('dist', f))).length, 0)
process.stdout.write(`the pages are ${bytes} bytes with gzip, of at most ${most}\n`)
if (files.length === 0 || bytes > most) process.exit(1)
