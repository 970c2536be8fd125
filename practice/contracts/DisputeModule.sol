// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {GovernedModule} from "./base/PausableModule.sol";
import {JobRegistry} from "./JobRegistry.sol";
import {StakeManager} from "./StakeManager.sol";

/// Lets an employer contest a verdict before it is paid; the arbitrators decide, and a beaten agent loses the job stake.
contract DisputeModule is GovernedModule {
    JobRegistry public immutable jobRegistry;
    StakeManager public immutable stakeManager;
    address public immutable committee;
    mapping(uint256 => bytes32) public evidenceOf;

    event DisputeRaised(uint256 indexed jobId, address indexed employer, bytes32 evidenceHash);
    event DisputeResolved(uint256 indexed jobId, bool agentWins);

    error NotEmployer(address caller);
    error NotCommittee(address caller);

    constructor(address governance_, JobRegistry jobRegistry_, StakeManager stakeManager_, address committee_)
        GovernedModule(governance_)
    {
        jobRegistry = jobRegistry_;
        stakeManager = stakeManager_;
        committee = committee_;
    }

    function raiseDispute(uint256 jobId, bytes32 evidenceHash) external whenNotPaused {
        if (msg.sender != jobRegistry.employerOf(jobId)) revert NotEmployer(msg.sender);
        evidenceOf[jobId] = evidenceHash;
        emit DisputeRaised(jobId, msg.sender, evidenceHash);
        jobRegistry.dispute(jobId);
    }

    function resolveDispute(uint256 jobId, bool agentWins) external whenNotPaused {
        if (msg.sender != committee) revert NotCommittee(msg.sender);
        emit DisputeResolved(jobId, agentWins);
        jobRegistry.resolve(jobId, agentWins);
        if (!agentWins) _slashAgent(jobId);
    }

    function _slashAgent(uint256 jobId) private {
        address agent = jobRegistry.agentOf(jobId);
        uint256 stake = stakeManager.stakeOf(agent, StakeManager.Role.Agent);
        uint256 wanted = jobRegistry.jobStake();
        uint256 amount = stake < wanted ? stake : wanted;
        stakeManager.slash(agent, StakeManager.Role.Agent, amount, jobRegistry.employerOf(jobId));
    }
}
