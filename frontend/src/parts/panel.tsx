/** A titled part of a page. */

import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'

interface PanelProps {
  readonly title: string
  /** A count or a hint beside the title. */
  readonly aside?: ComponentChildren
  readonly class?: string
  readonly children: ComponentChildren
}

/** A section with its heading. */
export function Panel(props: PanelProps): JSX.Element {
  const id = useId()
  return (
    <section class={`panel ${props.class ?? ''}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{props.title}</h2>
        {props.aside !== undefined && <span class="panel-aside">{props.aside}</span>}
      </header>
      {props.children}
    </section>
  )
}
