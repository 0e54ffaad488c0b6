/** The way from page to page: a column, or on a phone the main pages and a button for the rest. */

import { useSignal } from '@preact/signals'
import { Menu } from 'lucide-preact'
import type { JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

import { GROUPS } from '../pages/index.ts'
import type { Page, PageGroup } from '../pages/index.ts'
import { path } from '../state/route.ts'

/** The navigation. */
export function Nav(): JSX.Element {
  const isOpen = useSignal(false)
  const button = useRef<HTMLButtonElement>(null)
  const here = path.value
  useEffect(() => {
    isOpen.value = false
  }, [here])
  useEffect(() => {
    if (!isOpen.value) return undefined
    const closeOnEscape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return
      isOpen.value = false
      button.current?.focus()
    }
    document.addEventListener('keydown', closeOnEscape)
    return () => document.removeEventListener('keydown', closeOnEscape)
  }, [isOpen.value])
  return (
    <nav class={isOpen.value ? 'nav is-open' : 'nav'} aria-label="Pages">
      <div id="nav-groups" class="nav-groups">
        {GROUPS.map((group) => (
          <Group key={group.name} group={group} />
        ))}
      </div>
      <button
        ref={button}
        type="button"
        class="nav-more"
        aria-expanded={isOpen.value}
        aria-controls="nav-groups"
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Menu size={16} aria-hidden />
        {isOpen.value ? 'Less' : 'More'}
      </button>
    </nav>
  )
}

function Group({ group }: { readonly group: PageGroup }): JSX.Element {
  const id = useId()
  const isNamed = group.name !== ''
  return (
    <div class="nav-group">
      {isNamed && (
        <p id={id} class="nav-heading">
          {group.name}
        </p>
      )}
      <ul aria-labelledby={isNamed ? id : undefined}>
        {group.pages.map((page) => (
          <NavItem key={page.path} page={page} />
        ))}
      </ul>
    </div>
  )
}

function NavItem({ page }: { readonly page: Page }): JSX.Element {
  return (
    <li class={page.isMain ? 'is-main' : ''}>
      <a href={`#${page.path}`} aria-current={path.value === page.path ? 'page' : undefined}>
        <page.icon size={16} aria-hidden />
        <span class="nav-name">{page.name}</span>
        <span class="nav-short" aria-hidden="true">
          {page.short}
        </span>
      </a>
    </li>
  )
}
