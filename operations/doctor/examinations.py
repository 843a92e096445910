"""All examinations, in order."""

from collections.abc import Sequence

from operations.doctor import database, machine, model, model_table, quality
from operations.doctor.findings import Examination

EXAMINATIONS: Sequence[Examination] = (
    machine.examine_settings,
    database.examine_database,
    machine.examine_older_apps,
    machine.examine_cache,
    machine.examine_state,
    machine.examine_disks,
    machine.examine_static_files,
    machine.examine_log,
    machine.examine_proxies,
    model.examine_paid_model,
    model_table.examine_model_table,
    model.examine_on_device_model,
    quality.examine_quality,
)
