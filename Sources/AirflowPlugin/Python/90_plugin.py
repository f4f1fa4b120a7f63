

# --- The plugin ------------------------------------------------------------------------------------------------------


class DagrunPlugin(AirflowPlugin):
    """Makes this file known to Airflow (`airflow plugins` lists it). DAGs import what they need: since Airflow 2 a
    plugin registers no operators, and the plugins folder is on Python's path."""

    name = "dagrun"
    # Airflow 2's web server makes links only of classes that it knows.
    operator_extra_links = [JobLogLink(), JobMachinesLink()]
