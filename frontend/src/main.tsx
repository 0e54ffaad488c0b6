/** Mounts the application, and begins to follow what all pages need. */

import { render } from 'preact'

import { App } from './app.tsx'
import { join } from './feed/feed.ts'
import { followSession } from './state/session.ts'
import { applyTheme } from './state/settings.ts'
import { followStatus } from './state/status.ts'

applyTheme()
join()
followStatus()
followSession()

const root = document.getElementById('app')
if (root) render(<App />, root)
