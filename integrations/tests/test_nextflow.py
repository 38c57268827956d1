"""Nextflow comes from no package registry, so its script is only read by Groovy, which its language is built on."""

from __future__ import annotations

from conftest import INTEGRATIONS

READ = """
import org.codehaus.groovy.control.*
def unit = new CompilationUnit()
unit.addSource(new File(args[0]))
unit.compile(Phases.CONVERSION)
println 'READ ' + unit.getAST().getModules()[0].getStatementBlock().getStatements().size()
"""


def test_is_groovy(bench, groovy, tmp_path):
    (tmp_path / "read.groovy").write_text(READ)
    script = INTEGRATIONS / "nextflow/main.nf"
    said = bench.run("java", "-cp", groovy, "groovy.ui.GroovyMain", tmp_path / "read.groovy", script).stdout
    # Four settings, two processes, one workflow.
    assert "READ 7" in said
