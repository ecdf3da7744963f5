import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // the page works wherever the box serves it
  plugins: [svelte(), tailwindcss()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the page's policy allows no data: addresses
    modulePreload: false,
  },
  // `npx vite` with a box that runs: the page is served here, its API by the box.
  server: { proxy: { '/api': 'http://127.0.0.1:8088' } },
})
