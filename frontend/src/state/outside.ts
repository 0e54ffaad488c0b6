/** Other tools: how they are, the way to their pages, and a password that is kept nowhere. */

import { useEffect } from 'preact/hooks'

import { post } from '../api/client.ts'
import type { Answer } from '../api/client.ts'
import type {
  GrafanaPassword,
  Outside,
  Tool,
  ToolsSession,
  ToolsSessionRequest,
} from '../api/types.ts'
import { listen } from '../feed/feed.ts'
import { Question } from './question.ts'

/** How tools are is no event of the journal: it is asked for, only while somebody looks. */
const ASK_MS = 5000

const outside = new Question<Outside>('outside')

/** The tools, kept true as long as the calling component is on screen. */
export function useOutside(): Question<Outside> {
  useEffect(() => {
    void outside.ask()
    const stop = listen({ opened: () => void outside.ask() })
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void outside.ask()
    }, ASK_MS)
    return () => {
      stop()
      clearInterval(timer)
    }
  }, [])
  return outside
}

/** A tool by its name, if the configuration has it. Reading it subscribes to changes. */
export function tool(name: string): Tool | undefined {
  return outside.value.value?.tools.find((one) => one.name === name)
}

/** An address that opens the tool's pages once, within half a minute. */
export function openTool(name: string): Promise<Answer<ToolsSession>> {
  const request: ToolsSessionRequest = { tool: name, path: null }
  return post<ToolsSession>('outside/tools-session', request)
}

/** Grafana's admin password. That it was asked for is recorded, the password is not. */
export function askPassword(): Promise<Answer<GrafanaPassword>> {
  return post<GrafanaPassword>('outside/grafana/password', {})
}
