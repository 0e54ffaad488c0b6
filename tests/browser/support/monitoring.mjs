/** The real Prometheus and Alertmanager, each in a folder of its own and on a free port. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../../monitoring/build.sh', import.meta.url))

/** The folder of the tools; brings what is missing. */
async function assets() {
  const { stdout } = await promisify(execFile)(script)
  return stdout.trim()
}

/** A running tool. */
export class Running {
  /** Prometheus, which watches nothing that is there. */
  static async prometheus() {
    const folder = await assets()
    const config = 'scrape_configs: [{job_name: itself, static_configs: [{targets: ["127.0.0.1:1"]}]}]\n'
    const web = join(folder, 'web')
    // One that brings its pages inside knows no such flag.
    const flags = existsSync(web) ? [`--web.local-assets=${web}/`] : []
    return Running.#start(join(folder, 'prometheus'), config, ['--storage.tsdb.path=data', ...flags])
  }

  /** Alertmanager, which tells nobody. */
  static async alertmanager() {
    const folder = await assets()
    const config = 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n'
    const flags = ['--storage.path=data', '--cluster.listen-address=']
    return Running.#start(join(folder, 'alertmanager'), config, flags)
  }

  static async #start(binary, config, flags) {
    const running = new Running()
    running.dir = await mkdtemp(join(tmpdir(), 'monitor-backend-monitoring-'))
    const file = join(running.dir, 'config.yml')
    await writeFile(file, config)
    const fixed = [`--config.file=${file}`, '--web.listen-address=127.0.0.1:0']
    const args = ['--pdeathsig', 'KILL', '--', binary, ...fixed, ...flags]
    const stdio = ['ignore', 'ignore', 'pipe']
    running.child = spawn('setpriv', args, { stdio, cwd: running.dir })
    let said = ''
    for await (const line of createInterface(running.child.stderr)) {
      said += `${line}\n`
      // It names the port that it was given after the one that it was told.
      const address = /Listening on.*address=(\S+:[1-9]\d*)/.exec(line)?.[1]
      if (address) {
        running.url = `http://${address}`
        break
      }
    }
    if (!running.url) throw new Error(`${binary} did not listen:\n${said}`)
    running.child.stderr.resume()
    return running
  }

  /** Ends it and removes its folder. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL')
      await once(this.child, 'exit')
    }
    await rm(this.dir, { recursive: true, force: true })
  }
}
