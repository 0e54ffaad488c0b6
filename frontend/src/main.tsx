/** Mounts the application, and begins to follow what all pages need. */

import { render } from 'preact'

import { App } from './app.tsx'
import { join } from './feed/feed.ts'
import { followSession } from './state/session.ts'
import { applyTheme } from './state/settings.ts'
import { followStatus } from './state/status.ts'
import { followUnsaved } from './state/unsaved.ts'

applyTheme()
join()
followStatus()
followUnsaved()
followSession()

const root = document.getElementById('app')
if (root) render(<App />, root)
