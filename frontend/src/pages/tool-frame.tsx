/** The pages of another tool in a frame, from an origin of their own. */

import { useSignal } from '@preact/signals'
import { ExternalLink, RotateCw } from 'lucide-preact'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'

import type { Answer } from '../api/client.ts'
import type { ToolsSession } from '../api/types.ts'
import { Note } from '../parts/states.tsx'
import { openTool } from '../state/outside.ts'

/** It may do what its pages need, but not lead this page elsewhere. */
const SANDBOX = 'allow-scripts allow-same-origin allow-forms allow-popups allow-downloads'

interface FrameProps {
  readonly name: string
  readonly title: string
  readonly isUp: boolean
}

/** The frame. Its address opens once, so that a reload asks for another one. */
export function ToolFrame({ name, title, isUp }: FrameProps): JSX.Element | null {
  const answer = useSignal<Answer<ToolsSession> | null>(null)
  const ask = (): void => void openTool(name).then((value) => (answer.value = value))
  const isShown = answer.value?.ok === true
  useEffect(() => {
    if (isUp && !isShown) ask()
  }, [isUp])
  if (answer.value === null) {
    return isUp ? <Note kind="loading">Loading: the recorder was asked for {title}.</Note> : null
  }
  if (!answer.value.ok) {
    return <Note kind="failed">{title} cannot be opened: {answer.value.error.message}</Note>
  }
  return (
    <>
      <div class="toolbar">
        <button type="button" onClick={ask}>
          <RotateCw size={14} aria-hidden /> Load again
        </button>
        <button type="button" onClick={() => void openInTab(name)}>
          <ExternalLink size={14} aria-hidden /> Open in a new tab
        </button>
      </div>
      <iframe
        key={answer.value.value.url}
        class="tool-frame"
        title={title}
        src={answer.value.value.url}
        sandbox={SANDBOX}
        referrerpolicy="no-referrer"
      />
    </>
  )
}

/** The tab is opened at once: later it would be a pop-up that browsers block. */
async function openInTab(name: string): Promise<void> {
  const tab = globalThis.open('about:blank', '_blank')
  const answer = await openTool(name)
  if (!tab) return
  tab.opener = null
  if (answer.ok) tab.location.href = new URL(answer.value.url, document.baseURI).href
  else tab.close()
}
