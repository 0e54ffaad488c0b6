/** A double of the app-server's HTTP side: it answers in lines, and as slowly as it is told. */

import { once } from 'node:events'
import { createServer } from 'node:http'

/** Serves on a free port until it is closed. */
export class AppServerDouble {
  /** Method and path of each request that came. */
  asked = []
  /** Answers that wait for `finish`. */
  #open = new Set()
  #server = createServer((request, response) => this.#answer(request, response))

  static async start() {
    const double = new AppServerDouble()
    double.#server.listen(0, '127.0.0.1')
    await once(double.#server, 'listening')
    double.url = `http://127.0.0.1:${double.#server.address().port}`
    return double
  }

  #answer(request, response) {
    this.asked.push(`${request.method} ${request.url}`)
    request.resume()
    if (request.url.startsWith('/slow')) {
      response.writeHead(200, { 'Content-Type': 'text/plain' })
      response.write('begun\n')
      this.#open.add(response)
      response.on('close', () => this.#open.delete(response))
      return
    }
    const status = request.url.startsWith('/missing') ? 404 : 200
    response.writeHead(status, { 'Content-Type': 'text/plain' })
    response.end(`asked for ${request.url}\nline two\n`)
  }

  /** Writes a line into each open answer. */
  say(line) {
    for (const response of this.#open) response.write(`${line}\n`)
  }

  /** How many answers are open. */
  get open() {
    return this.#open.size
  }

  /** Ends it, open answers included. */
  async stop() {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
