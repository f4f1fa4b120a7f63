"""Answers questions about cron schedules by croniter, for CroniterTests.

    cron.py QUESTIONS ANSWERS

A question is a line: expression, time zone, seconds since 1970, gap and fold, with tabs in between. An answer is a line of
JSON: why croniter refuses the expression; or the tick after that moment and the one before it

  airflow  as Airflow asks for them: by the wall clock of the moment, as its timetables do (airflow/timetables/_cron.py)
  ideal    by what gap and fold mean: the least moment of any tick that is later, the greatest that is earlier

and the offsets from UTC on the way, by which the test sees that both sides have the same time zone database.
"""

import datetime
import json
import sys
import zoneinfo

from croniter import croniter
from croniter.croniter import CroniterError

EPOCH = datetime.datetime(1970, 1, 1)
DAY = 86400


def wall(second):
    return EPOCH + datetime.timedelta(seconds=second)


def seconds(naive):
    delta = naive - EPOCH
    return delta.days * DAY + delta.seconds


class Zone:
    def __init__(self, name):
        self.zone = zoneinfo.ZoneInfo(name)

    def offset(self, second):
        moment = datetime.datetime.fromtimestamp(second, self.zone)
        return int(moment.utcoffset().total_seconds())

    def offsets_of(self, naive):
        """Those before and after a change that is near."""
        return [int(naive.replace(tzinfo=self.zone, fold=fold).utcoffset().total_seconds()) for fold in (0, 1)]

    def moments(self, naive, every_hour, gap, fold):
        before, after = self.offsets_of(naive)
        early, late = seconds(naive) - before, seconds(naive) - after
        if before == after:
            return [early]
        if before < after:
            return [] if every_hour or gap == "skip" else [early]
        return [early, late] if every_hour or fold == "both" else [early] if fold == "first" else [late]


def airflow(cron, expression, zone, moment, is_next):
    naive = wall(moment + zone.offset(moment))
    cron.set_current(naive)
    tick = cron.get_next(datetime.datetime) if is_next else cron.get_prev(datetime.datetime)
    if cron.expanded[1] == ["*"]:
        return moment + seconds(tick) - seconds(naive)
    return zone.moments(tick, False, "shift", "second")[0]


def ideal(cron, zone, moment, is_next, gap, fold):
    every_hour = "*" in cron.expanded[1]
    sign = 1 if is_next else -1
    here = zone.offset(moment)
    near = [zone.offset(moment + step * 6 * 3600) for step in range(-5, 6)]
    cron.set_current(wall(moment + here) - sign * datetime.timedelta(seconds=max(near) - min(near)))
    best = None
    while True:
        tick = cron.get_next(datetime.datetime) if is_next else cron.get_prev(datetime.datetime)
        for found in zone.moments(tick, every_hour, gap, fold):
            if (found - moment) * sign > 0 and (best is None or (found - best) * sign < 0):
                best = found
        if best is not None:
            around = [zone.offset(best + step * 6 * 3600) for step in range(-5, 6)]
            earliest = seconds(tick) - (max(around) if is_next else min(around))
            if (earliest - best) * sign >= 0:
                return best


def answer(line):
    expression, name, moment, gap, fold = line.rstrip("\n").split("\t")
    moment = int(moment)
    try:
        cron = croniter(expression, wall(moment))
        if len(cron.expanded) > 6:
            return {"unanswered": "years"}
        # Raises where there is no tick at all.
        cron.get_next(datetime.datetime)
    except CroniterError as error:
        return {"refused": str(error)}
    zone = Zone(name)
    result = {}
    for word, is_next in (("next", True), ("last", False)):
        result["airflow_" + word] = airflow(cron, expression, zone, moment, is_next)
        result["ideal_" + word] = ideal(cron, zone, moment, is_next, gap, fold)
    places = [moment, result["ideal_next"], result["ideal_last"]]
    result["offsets"] = [[second, zone.offset(second)] for place in places for second in (place - DAY, place, place + DAY)]
    return result


def main(questions, answers):
    with open(questions) as asked, open(answers, "w") as answered:
        for line in asked:
            try:
                result = answer(line)
            except zoneinfo.ZoneInfoNotFoundError:
                result = {"unanswered": "no such zone"}
            except CroniterError as error:
                result = {"unanswered": str(error)}
            except Exception as error:
                raise RuntimeError(f"of {line!r}") from error
            answered.write(json.dumps(result) + "\n")


main(*sys.argv[1:])
