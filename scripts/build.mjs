// `npm run build`: types by tsc, dist/ by esbuild, then oclif.manifest.json. With --if-stale only when a source is newer than the build.
import { build, buildIfStale, CompileError } from './build/build.mjs';

try {
  await (process.argv.includes('--if-stale') ? buildIfStale() : build());
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  process.stderr.write(
    `${error.message}\nThe build failed: mend the types named above (npm run typecheck).\n`,
  );
  process.exitCode = 1;
}
