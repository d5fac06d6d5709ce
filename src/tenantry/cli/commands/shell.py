"""`shell`: a Python prompt with the application assembled."""

from __future__ import annotations

from pathlib import Path

from tenantry.cli.context import DataDir, load, opened, run_async


def shell(
    data_dir: DataDir = None,
) -> None:
    """Open a Python prompt with `assembly` and `run` (awaits a coroutine).

    Example: tenantry shell
    """
    run_async(_shell(data_dir))


async def _shell(data_dir: Path | None) -> None:
    import asyncio
    import code

    loop = asyncio.get_running_loop()
    async with opened(load(data_dir=data_dir)) as assembly:

        def run(work: object) -> object:
            return asyncio.run_coroutine_threadsafe(work, loop).result()  # type: ignore[arg-type]

        names = {"assembly": assembly, "runtime": assembly.runtime, "run": run}
        await asyncio.to_thread(code.interact, "assembly, runtime, run(coroutine)", local=names)
