"""Peers of the whole way from a question to an answer, with a model that takes no time.

LangChain's SQL agent and Vanna 2 run as their documentation shows, on a copy of the demo's DuckDB file. Their model is
played here: it takes the steps that such an agent takes (look at the tables, query, answer) and writes the SQL that it
was told, so that what is left is the framework's own time and the query's.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Ask = Callable[[str, str], str]
"""(question, SQL that the model is to write) to the answer's text."""


def langchain(warehouse: Path, tables: Sequence[str]) -> Ask:
    """create_sql_agent(tool-calling): list the tables, read the schema of some, query, answer: four model calls."""
    from langchain_community.agent_toolkits import create_sql_agent
    from langchain_community.utilities import SQLDatabase
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Played(BaseChatModel):
        sql: str = ""

        @property
        def _llm_type(self) -> str:
            return "played"

        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            del tools, kwargs
            return self

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
            del stop, run_manager, kwargs
            done = [message for message in messages if isinstance(message, ToolMessage)]
            steps = (
                ("sql_db_list_tables", {"tool_input": ""}),
                ("sql_db_schema", {"table_names": ", ".join(tables[:3])}),
                ("sql_db_query", {"query": self.sql}),
            )
            if len(done) == len(steps):
                reply = AIMessage(content=f"It is: {str(done[-1].content)[:2000]}")
            else:
                name, arguments = steps[len(done)]
                call = {"name": name, "args": arguments, "id": f"call-{len(done)}"}
                reply = AIMessage(content="", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=reply)])

    model = Played()
    database = SQLDatabase.from_uri(f"duckdb:///{warehouse}")
    agent = create_sql_agent(model, db=database, agent_type="tool-calling")

    def ask(question: str, sql: str) -> str:
        model.sql = sql
        return str(agent.invoke({"input": question})["output"])

    return ask


def vanna(warehouse: Path, tables: Sequence[str]) -> Ask:
    """Vanna 2's agent with its SQL tool, its DuckDB runner and memory in the process: two model calls."""
    del tables  # it gives the model no schema of itself
    from vanna import Agent, AgentConfig, ToolRegistry, User
    from vanna.core.llm import LlmResponse, LlmService, LlmStreamChunk
    from vanna.core.tool import ToolCall
    from vanna.core.user import RequestContext, UserResolver
    from vanna.integrations.duckdb import DuckDBRunner
    from vanna.integrations.local import LocalFileSystem
    from vanna.integrations.local.agent_memory import DemoAgentMemory
    from vanna.tools import RunSqlTool

    class Played(LlmService):
        sql = ""

        async def send_request(self, request: Any) -> Any:
            last = request.messages[-1]
            if last.role == "tool":
                return LlmResponse(content=f"It is: {last.content[:2000]}", finish_reason="stop")
            call = ToolCall(id="call-0", name="run_sql", arguments={"sql": self.sql})
            return LlmResponse(content="", tool_calls=[call], finish_reason="tool_calls")

        async def stream_request(self, request: Any) -> Any:
            reply = await self.send_request(request)
            yield LlmStreamChunk(
                content=reply.content, tool_calls=reply.tool_calls, finish_reason=reply.finish_reason
            )

        async def validate_tools(self, tools: Any) -> list[str]:
            del tools
            return []

    class Somebody(UserResolver):
        async def resolve_user(self, request_context: Any) -> Any:
            del request_context
            return User(id="bench", username="bench", group_memberships=["user"])

    files = LocalFileSystem(tempfile.mkdtemp(dir=warehouse.parent))
    registry = ToolRegistry()
    runner = DuckDBRunner(str(warehouse), read_only=True)
    registry.register_local_tool(RunSqlTool(runner, file_system=files), access_groups=[])
    model = Played()
    agent = Agent(model, registry, Somebody(), DemoAgentMemory(), config=AgentConfig(stream_responses=False))

    async def gather(question: str) -> str:
        said = ""
        async for component in agent.send_message(RequestContext(), question):
            simple = component.simple_component
            said = getattr(simple, "text", "") or said
        return said

    loop = asyncio.new_event_loop()

    def ask(question: str, sql: str) -> str:
        model.sql = sql
        return loop.run_until_complete(gather(question))

    return ask


PEERS: Mapping[str, tuple[tuple[str, ...], Callable[[Path, Sequence[str]], Ask]]] = {
    "LangChain SQL agent": (("langchain-community", "langchain-classic", "duckdb-engine"), langchain),
    "Vanna": (("vanna",), vanna),
}
