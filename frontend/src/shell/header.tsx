/** The top line: the product, how things look, and who is logged in. */

import { CircleHelp, LogOut, Monitor, Moon, Sun } from 'lucide-preact'
import type { JSX } from 'preact'

import { zoneLabel } from '../lib/time.ts'
import { now } from '../state/clock.ts'
import { logOut, session } from '../state/session.ts'
import { switchTheme, switchZone, theme, zone } from '../state/settings.ts'
import { isReplay, status } from '../state/status.ts'
import { isHelpOpen } from './keys.tsx'

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon } as const

/** The top line. */
export function Header(): JSX.Element {
  const ThemeIcon = THEME_ICONS[theme.value]
  return (
    <header class="header">
      <span class="product">
        monitor-backend <span class="muted version">{status.value.value?.version}</span>
      </span>
      <span class="spring" />
      <button type="button" class="header-button" onClick={switchZone} title="Zone of all times">
        <span class="for-readers">Zone of all times: </span>
        {zoneLabel(now.peek(), zone.value)}
      </button>
      <button
        type="button"
        class="header-button"
        onClick={switchTheme}
        aria-label={`Theme: ${theme.value}`}
        title={`Theme: ${theme.value}`}
      >
        <ThemeIcon size={16} aria-hidden />
      </button>
      <button
        type="button"
        class="header-button"
        onClick={() => (isHelpOpen.value = true)}
        aria-label="Keys and help"
        title="Keys and help (?)"
      >
        <CircleHelp size={16} aria-hidden />
      </button>
      <Who />
    </header>
  )
}

/** How it is known who this is. */
const ROLE_TITLES: Readonly<Record<string, string>> = {
  key: 'Logged in with the admin key',
  token: 'Logged in with a Kubernetes token: the cluster says what this session may',
}

function Who(): JSX.Element | null {
  const { value } = session
  if (value.kind !== 'in' || isReplay.value) return null
  return (
    <>
      <span class="actor" title="The name that stands in the record of actions">
        {value.session.actor}
      </span>
      <span
        class={value.session.can_act ? 'role is-full' : 'role'}
        title={ROLE_TITLES[value.session.via] ?? ''}
      >
        {value.session.can_act ? 'may act' : 'may only see'}
      </span>
      <button
        type="button"
        class="header-button"
        onClick={() => void logOut()}
        aria-label="Log out"
        title="Log out"
      >
        <LogOut size={16} aria-hidden />
      </button>
    </>
  )
}
