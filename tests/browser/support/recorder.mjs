/** Starts the real program, in a folder of its own and on a free port. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A debug build on a busy machine starts within this. */
const START_MS_MAX = 30_000

const root = fileURLToPath(new URL('../../../', import.meta.url))
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
const built = ['debug', 'release'].map((profile) => join(target, profile, 'monitor-backend'))
const binary = process.env.MONITOR_BACKEND_BIN ?? built.find((path) => existsSync(path))

/** A running program. */
export class Recorder {
  #process
  #listen
  #command
  #env = {}

  /** @param {string[]} command  subcommand and arguments, without `--listen` */
  constructor(command, listen = '127.0.0.1:0') {
    this.#command = command
    this.#listen = listen
  }

  /** Runs `demo` in a new folder, which goes at the end. */
  static async demo() {
    const dir = await mkdtemp(join(tmpdir(), 'monitor-backend-browser-'))
    const recorder = new Recorder(['demo', '--data-dir', join(dir, 'data')])
    recorder.dir = dir
    // What it leaves behind when it is killed goes with the folder.
    recorder.#env = { TMPDIR: dir }
    await recorder.start()
    return recorder
  }

  /** Runs `serve` in a new folder, with no cluster and no app-server to be found. */
  static async alone(key, ...args) {
    const dir = await mkdtemp(join(tmpdir(), 'monitor-backend-browser-'))
    const recorder = new Recorder(['serve', '--data-dir', join(dir, 'data'), ...args])
    recorder.dir = dir
    recorder.#env = { HOME: dir, MONITOR_BACKEND_ADMIN_KEY: key }
    await recorder.start()
    return recorder
  }

  /** Starts, on the same port as before if it ran before. */
  async start() {
    if (!binary) {
      throw new Error('the program is not built: `cargo build`, or name it by MONITOR_BACKEND_BIN')
    }
    const args = [...this.#command, '--listen', this.#listen]
    // None of the variables of whoever runs the tests: some of them are settings of the program.
    const env = { PATH: process.env.PATH, ...this.#env }
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.#process = child
    this.log = ''
    this.url = null
    this.key = null
    child.stderr.on('data', (text) => (this.log += text))
    await this.#ready(child)
    this.#listen = this.url.replace('http://', '').replace(/\/.*/, '')
  }

  /** Reads what the program prints until its address, and its key where it has one, are known. */
  async #ready(child) {
    const needsKey = this.#command[0] === 'demo'
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX)
    for await (const line of createInterface(child.stdout)) {
      const address = /listening on (http:\S+)/.exec(line)?.[1]
      if (address) this.url = address.endsWith('/') ? address : `${address}/`
      this.key = /admin key: (\S+)/.exec(line)?.[1] ?? this.key
      if (this.url && (this.key || !needsKey)) break
    }
    clearTimeout(timer)
    if (child.exitCode !== null || child.killed) {
      throw new Error(`${binary} ${this.#command.join(' ')} did not start:\n${this.log}`)
    }
    child.stdout.resume()
  }

  /** Asks the API beside the browser. */
  async get(path) {
    const headers = { Authorization: `Bearer ${this.key}` }
    const response = await fetch(new URL(`api/${path}`, this.url), { headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  /** Ends it as a crash would. */
  async kill() {
    await this.#end('SIGKILL')
  }

  /** Ends it and removes its folder. */
  async stop() {
    await this.#end('SIGTERM')
    if (this.dir) await rm(this.dir, { recursive: true, force: true })
  }

  async #end(signal) {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }
}
