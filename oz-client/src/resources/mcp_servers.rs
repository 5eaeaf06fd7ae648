//! MCP servers that runs name instead of describing them.

use oz_core::api::{Empty, McpServer, McpServerList};

noun! {
    /// Calls about shared MCP servers.
    McpServers mcp_servers
}

calls! { McpServers;
    /// Lists shared MCP servers.
    list(ListMcpServers {}) -> McpServerList;
    /// Shares an MCP server.
    create(CreateMcpServer) -> McpServer;
    /// Gets the shared MCP server with this id.
    get(GetMcpServer { uid: String }) -> McpServer;
    /// Replaces a shared MCP server.
    update(UpdateMcpServer) -> McpServer;
    /// Deletes the shared MCP server with this id.
    delete(DeleteMcpServer { uid: String }) -> Empty;
}
