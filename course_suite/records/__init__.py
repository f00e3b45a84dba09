"""What training runs measured, each with its provenance: one JSON file a run, shipped with the library.

``load_records()`` reads them, ``check_record(record)`` refuses one that no longer fits what the code builds.
"""

from course_suite.records.hashes import model_hash
from course_suite.records.plan import load_plan
from course_suite.records.provenance import environment, provenance
from course_suite.records.store import RECORDS, RecordError, check_record, load_records, read_record, write_record
from course_suite.records.summary import Summary, error_interval, errors, is_trained, summarise, trained_below

__all__ = [
    "RECORDS",
    "RecordError",
    "Summary",
    "check_record",
    "environment",
    "error_interval",
    "errors",
    "is_trained",
    "load_plan",
    "load_records",
    "model_hash",
    "provenance",
    "read_record",
    "summarise",
    "trained_below",
    "write_record",
]
