// expect: description - "the file describes no DAG"
import Dagrun

func helper() -> Int { 1 }
