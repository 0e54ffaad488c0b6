/** What pages and the shared worker say to each other. */

/** How the feed stands. */
export interface FeedState {
  readonly kind: 'idle' | 'connecting' | 'open' | 'offline'
  /** Since when, by this machine's clock. */
  readonly since: number
}

/** A message of the live feed as it came: parsed by the pages, not by the worker between. */
export interface FeedMessage {
  readonly type: string
  readonly data: string
}

/** From a page. `start` and `stop` are for all pages: there is one session. */
export type ToWorker =
  | { readonly kind: 'join'; readonly url: string }
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'leave' }

/** To a page. After `joined`, every message past `position` is passed on. */
export type ToPage =
  | { readonly kind: 'joined'; readonly position: number | null; readonly state: FeedState }
  | { readonly kind: 'state'; readonly state: FeedState }
  | { readonly kind: 'message'; readonly message: FeedMessage }

/** The messages that the recorder sends by name. */
export const MESSAGE_TYPES = ['hello', 'batch', 'durable', 'shed', 'reset', 'heartbeat'] as const
