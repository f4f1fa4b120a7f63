"""dagrun in Airflow: jobs on Compute Engine, and DAGs written in Swift, as tasks of Airflow.

    from dagrun_plugin import ComputeEngineJobOperator, JobConfigBuilder

    train = ComputeEngineJobOperator(
        task_id="train",
        job_config=JobConfigBuilder().project_id("my-project").image("python:3.13").preemptible(True).build(),
        cmd="python train.py --day {{ ds }}",
        gcs_target={"/artifacts": "my-bucket/models/{{ ds }}"},
    )

This file was written by `dagrun airflow-plugin`; do not edit it, write it anew. It needs Airflow (2.9 and later, 3.x)
on Python 3.9 or later, and the program `dagrun`, whose version and protocol are below: it is looked for at
$DAGRUN_BINARY, at BINARY (a path, or a name in PATH) and beside this file. dagrun keeps its journal in $DAGRUN_HOME, or
in $AIRFLOW_HOME/dagrun.

Contents: the program - who it is to Google - what a job is - operators of jobs - their trigger (deferrable) - runs of
Swift DAGs as one task - Swift DAGs as DAGs of Airflow - what keeps projects clean - the plugin.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import copy
import datetime
import functools
import hashlib
import importlib
import inspect
import json
import logging
import math
import os
import re
import selectors
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import uuid
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, NamedTuple, Union, cast

from airflow import __version__ as AIRFLOW_VERSION
from airflow.plugins_manager import AirflowPlugin
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from airflow.sdk import (
        DAG,
        BaseOperator,
        BaseOperatorLink,
        Context,
        CronDataIntervalTimetable,
        CronTriggerTimetable,
        Param,
        get_parsing_context,
    )
    from airflow.sdk.configuration import conf
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
else:
    try:  # Airflow 3
        from airflow.sdk import DAG, BaseOperator, BaseOperatorLink, Param, get_parsing_context
    except ImportError:
        from airflow.models.baseoperator import BaseOperator
        from airflow.models.baseoperatorlink import BaseOperatorLink
        from airflow.models.dag import DAG
        from airflow.models.param import Param
        from airflow.utils.dag_parsing_context import get_parsing_context
    try:  # Airflow 3, its later versions
        from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable
    except ImportError:
        from airflow.timetables.interval import CronDataIntervalTimetable
        from airflow.timetables.trigger import CronTriggerTimetable
    try:  # Airflow 3, its later versions
        from airflow.sdk.configuration import conf
        from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
    except ImportError:
        from airflow.configuration import conf
        from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException


def first_of(name: str, *modules: str) -> Any:
    """What Airflow keeps elsewhere in each version; looked for where it is used, for it may take long to load."""
    for module in modules:
        with contextlib.suppress(ImportError, AttributeError):
            return getattr(importlib.import_module(module), name)
    raise ImportError(f"Airflow {AIRFLOW_VERSION} has no {name} in {' or '.join(modules)}")


# Of the program that wrote this file.
VERSION = "@VERSION@"
# What is said between this file and the program; a program that says another number is refused.
PROTOCOL = @PROTOCOL@
# A path, or a name in PATH; $DAGRUN_BINARY counts more.
BINARY = "@BINARY@"
