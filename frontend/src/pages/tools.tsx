/** Other tools: their own pages in a frame or as a link, and why there are none. */

import type { JSX } from 'preact'

import type { Tool } from '../api/types.ts'
import { Badge } from '../parts/badge.tsx'
import { Answered, Note } from '../parts/states.tsx'
import { Time } from '../parts/time.tsx'
import { useOutside } from '../state/outside.ts'
import { query } from '../state/route.ts'
import { GrafanaPasswordButton } from './grafana-password.tsx'
import { ToolFrame } from './tool-frame.tsx'

/** Names as their makers write them. */
const NAMES: Readonly<Record<string, string>> = {
  prometheus: 'Prometheus',
  alertmanager: 'Alertmanager',
  grafana: 'Grafana',
  loki: 'Loki',
}

/** The page. */
export function ToolsPage(): JSX.Element {
  const outside = useOutside()
  const tools = outside.value.value?.tools ?? []
  const chosen = tools.find(({ name }) => name === query.value.get('tool')) ?? tools[0]
  return (
    <div class="page page-fill">
      <Answered
        of={outside}
        subject="outside tools"
        isEmpty={tools.length === 0}
        empty="The configuration names no outside tool. Nothing here needs one; the README says how Prometheus, Alertmanager, Grafana and Loki are named."
      >
        <Tabs tools={tools} chosen={chosen} />
        {chosen && <ToolPart key={chosen.name} tool={chosen} />}
      </Answered>
    </div>
  )
}

function Tabs(props: {
  readonly tools: readonly Tool[]
  readonly chosen: Tool | undefined
}): JSX.Element {
  return (
    <nav class="tabs" aria-label="Outside tools">
      <ul>
        {props.tools.map((tool) => (
          <li key={tool.name}>
            <a
              href={`#/tools?tool=${tool.name}`}
              aria-current={tool.name === props.chosen?.name ? 'page' : undefined}
            >
              {NAMES[tool.name] ?? tool.name} <ToolBadge tool={tool} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function ToolBadge({ tool }: { readonly tool: Tool }): JSX.Element {
  if (tool.up === null) return <Badge tone="calm" word="not asked yet" />
  return <Badge tone={tool.up ? 'good' : 'bad'} word={tool.up ? 'up' : 'down'} />
}

function ToolPart({ tool }: { readonly tool: Tool }): JSX.Element {
  const name = NAMES[tool.name] ?? tool.name
  return (
    <>
      {tool.up === false && <Down tool={tool} name={name} />}
      {tool.kind === 'logs' && (
        <p>
          Its log lines are asked for <a href="#/logs?from=loki">on the Logs page</a>, beside those
          of the journal.
        </p>
      )}
      {tool.kind === 'link' && <Link tool={tool} name={name} />}
      {tool.kind === 'proxy' && <Frame tool={tool} name={name} />}
      {tool.has_password && <GrafanaPasswordButton />}
    </>
  )
}

interface PartProps {
  readonly tool: Tool
  readonly name: string
}

function Down({ tool, name }: PartProps): JSX.Element {
  return (
    <Note kind="failed">
      <p>
        <b>{name} is down</b> since <Time at={tool.since} />: {tool.reason}
      </p>
      <p>
        {tool.last_up === null ? (
          'It has not been up since the recorder started.'
        ) : (
          <>
            It was last up at <Time at={tool.last_up} />.
          </>
        )}{' '}
        Nothing else here depends on it.
      </p>
    </Note>
  )
}

function Link({ tool, name }: PartProps): JSX.Element | null {
  if (tool.url === null) return null
  return (
    <p>
      <a class="button" href={tool.url} target="_blank" rel="noreferrer">
        Open {name} in a new tab
      </a>
    </p>
  )
}

function Frame({ tool, name }: PartProps): JSX.Element | null {
  if (tool.url === null) {
    return (
      <Note kind="warn">
        The pages of {name} are shown from a second port, which this recorder does not serve. Start
        it with <code>--tools-listen</code>.
      </Note>
    )
  }
  // What was shown before it went down stays readable; a new page would only be an error.
  return <ToolFrame name={tool.name} title={name} isUp={tool.up !== false} />
}
