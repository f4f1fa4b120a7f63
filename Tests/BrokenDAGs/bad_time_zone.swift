// expect: description 4 "there is no time zone \"Europe/Atlantis\""
import Dagrun

DAG("bad_time_zone", schedule: .cron("0 3 * * *", timeZone: "Europe/Atlantis")) {
  BashOperator("extract", "true")
}
