/** Strict, type-aware rules: the promise rules are what finds a forgotten await in a queue. */
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*.gen.ts', '**/*.js', '**/*.cjs', '**/*.mjs', '.turbo/**', '.data/**', 'bench/**', 'examples/**'] },
  {
    files: ['packages/*/src/**/*.ts', 'packages/*/test/**/*.ts', 'test/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: ['packages/*/tsconfig.test.json', 'test/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Wrong wherever a field changes during an await: it takes what was checked before for what holds after.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  {
    files: ['packages/*/test/**/*.ts', 'test/**/*.ts'],
    rules: {
      // chai's `expect(x).to.be.true` is an expression, and `rows[0]!` in a test fails by itself where there is none.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Answers are JSON of the server under test: what they hold is what the assertions are about.
      ...Object.fromEntries(['assignment', 'member-access', 'return', 'argument', 'call'].map((what) => [`@typescript-eslint/no-unsafe-${what}`, 'off'])),
    },
  },
);
