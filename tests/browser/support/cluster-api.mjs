/** A double of the cluster's API that knows one user and nothing else: it answers reviews. */

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'

const KIND = /"kind":"(TokenReview|SubjectAccessReview)"/

/** Serves on a free port until it is closed. */
export class ClusterApiDouble {
  #server
  #user

  /** @param {{ token: string, name: string, verbs: string[] }} user */
  constructor(user) {
    this.#user = user
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** Starts it, and writes the kubeconfig that leads to it. */
  async start(kubeconfig) {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const server = `http://127.0.0.1:${this.#server.address().port}`
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'double', cluster: { server } }],
        users: [{ name: 'double', user: {} }],
        contexts: [{ name: 'double', context: { cluster: 'double', user: 'double' } }],
        'current-context': 'double',
      }),
    )
  }

  async #answer(request, response) {
    const parts = []
    for await (const part of request) parts.push(part)
    const text = Buffer.concat(parts).toString()
    const review = KIND.test(text) ? JSON.parse(text) : null
    const answer = review ? { ...review, status: this.#status(review) } : NOT_FOUND
    response.writeHead(review ? 201 : 404, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(answer))
  }

  #status({ kind, spec }) {
    const { token, name, verbs } = this.#user
    if (kind === 'SubjectAccessReview') {
      const isUser = spec.user === name
      return { allowed: isUser && verbs.includes(spec.nonResourceAttributes.verb) }
    }
    if (spec.token !== token) return { authenticated: false }
    return { authenticated: true, audiences: spec.audiences, user: { username: name } }
  }

  /** Ends it. */
  async stop() {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const NOT_FOUND = {
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  reason: 'NotFound',
  message: 'the double knows nothing but reviews',
  code: 404,
}
