import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Relative, so that the same files work under any base path.
  base: './',
  build: {
    // Current browsers alone: an admin's own machine, not the public.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The polyfill would be an inline script in older targets; here it is only bytes.
    modulePreload: { polyfill: false },
    // A data: URL for an asset would need a wider content security policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': 'http://127.0.0.1:5130' } },
  // `css`: the test of the colours reads the style sheet.
  test: { environment: 'node', include: ['src/**/*.test.ts'], css: true },
})
